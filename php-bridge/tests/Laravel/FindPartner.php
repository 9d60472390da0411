<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\AppTool;
use Illuminate\Contracts\Config\Repository;

final class FindPartner implements AppTool
{
    public static int $made = 0;

    public function __construct(private readonly Repository $config)
    {
        self::$made++;
    }

    public function name(): string
    {
        return 'find_partner';
    }

    public function description(): string
    {
        return 'Finds a partner by name.';
    }

    /** @return array<string, mixed> */
    public function schema(): array
    {
        return ['type' => 'object', 'properties' => ['name' => ['type' => 'string']], 'required' => ['name']];
    }

    public function handle(array $input): string
    {
        return $input['name'] . ' is in ' . $this->config->get('app.city');
    }
}
