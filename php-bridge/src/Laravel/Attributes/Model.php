<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\PendingRun;
use Attribute;

/** The model that answers, instead of the configuration's. */
#[Attribute(Attribute::TARGET_CLASS)]
final class Model implements AgentAttribute
{
    public function __construct(public readonly string $name)
    {
        trim($name) !== '' || throw new InvalidArgumentException(
            'it names no model. Write its name, or leave the attribute out for that of the configuration',
        );
    }

    public function apply(PendingRun $run): PendingRun
    {
        return $run->model($this->name);
    }
}
