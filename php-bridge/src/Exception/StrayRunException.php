<?php

declare(strict_types=1);

namespace AgentWorkers\Exception;

use AgentWorkers\Request;

/** A test started a run for which its FakeRunner has no script. */
final class StrayRunException extends \RuntimeException implements AgentWorkersException
{
    public function __construct(public readonly Request $request)
    {
        $skill = $request->get('skill');
        parent::__construct(is_string($skill)
            ? "No fake answer is left for the skill $skill. Give the FakeRunner an output: skill('$skill', […])."
            : sprintf(
                'No fake answer is left for the prompt "%s". Give the FakeRunner one more, or answer the prompt by '
                    . 'when().',
                $request->promptText(),
            ));
    }
}
