<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Command\Arguments;
use AgentWorkers\Command\Command;
use AgentWorkers\Command\Nearest;
use AgentWorkers\Command\ToolRunner;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\InvalidCommandException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Contracts\Auth\Access\Gate;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Psr\Log\LoggerInterface;

/**
 * Runs the tools that a person calls from a chat, if Agent::allowCommand() lets that person.
 *
 * @internal
 */
final class Commands
{
    public const WORKER = 'tool';
    /** What AppTool and the contract take where a tool says nothing. */
    private const DEFAULT_TIMEOUT_S = 60.0;
    /** Field of a request whose tool runs in this process: as long nothing else happens here. */
    private const HELD_S = 'timeout_s';
    private const AS_TEXT = 'To say it to the agent, put a word before the slash.';

    public function __construct(
        private readonly Container $app,
        private readonly Agents $agents,
        private readonly Registry $registry,
        private readonly Repository $config,
    ) {
    }

    /**
     * Returns what starts the run of a command, as Runner::stream() starts one.
     *
     * @param Request $asked what the agent would have been asked: its run, limits and metadata are the command's, too
     *
     * @return \Closure(Request): Run
     *
     * @throws RunFailedException it cannot be run, or not by this user
     */
    public function start(Command $command, ?Authenticatable $user, Request $asked): \Closure
    {
        try {
            $rule = $this->rule($command, $user);
            $input = Arguments::parse($command->arguments, $this->schema($command, $rule));
        } catch (InvalidCommandException $error) {
            throw self::refusal('invalid_request', $error->getMessage(), array_filter([
                'pointer' => '/input' . $error->pointer,
                'message' => $error->getMessage(),
                'did_you_mean' => $error->didYouMean,
            ], is_string(...)));
        }
        $plain = json_decode((string) json_encode($input), true);
        if (!$this->isAllowed($rule, $user, $plain)) {
            throw self::refusal('forbidden', "You may not run {$command->name()} like this.");
        }
        $fields = array_filter([
            'run' => $asked->get('run'),
            'limits' => array_intersect_key((array) $asked->get('limits'), ['timeout_s' => true]),
            'metadata' => $asked->get('metadata'),
        ]);

        return $command->server === null
            ? $this->here($command, $plain, $fields)
            : $this->byWorker($command, $input, $fields, (array) $asked->get('mcp_servers'));
    }

    /** Seconds for which the process of this run may be busy with its tool, without a sign of life. */
    public static function secondsHeld(Run $run): float
    {
        $seconds = $run->request->get(self::HELD_S);

        return is_float($seconds) ? $seconds : 0.0;
    }

    /**
     * @param array<string, mixed> $input
     * @param array<string, mixed> $fields
     *
     * @return \Closure(Request): Run
     */
    private function here(Command $command, array $input, array $fields): \Closure
    {
        [$handler, $timeoutS] = $this->registry->handler($command->tool, $this->app);
        $runner = new ToolRunner($command, $input, $handler, $this->app->make(LoggerInterface::class));

        return static fn (Request $asked): Run => $runner->stream(self::request($fields, $asked, [
            'tool' => $command->tool,
            'input' => $input,
            self::HELD_S => $timeoutS ?? self::DEFAULT_TIMEOUT_S,
        ]));
    }

    /**
     * @param array<string, mixed> $fields
     * @param array<string, array<string, mixed>> $own servers of the run that was asked for
     *
     * @return \Closure(Request): Run
     */
    private function byWorker(Command $command, \stdClass $input, array $fields, array $own): \Closure
    {
        $servers = $own + (array) $this->config->get('agent-workers.mcp_servers', []);
        $server = $servers[$command->server] ?? throw new \InvalidArgumentException(
            "There is no server $command->server in `mcp_servers` of config/agent-workers.php.",
        );
        $runner = $this->agents->runner(self::WORKER);

        return static fn (Request $asked): Run => $runner->stream(self::request($fields, $asked, [
            'server' => ['name' => $command->server] + array_diff_key((array) $server, ['optional' => true]),
            'tool' => $command->tool,
            'input' => $input,
        ]));
    }

    /**
     * @param array<string, mixed> $fields
     * @param array<string, mixed> $call
     */
    private static function request(array $fields, Request $asked, array $call): Request
    {
        $run = $asked->get('run');

        return Request::fromArray($call + ($run === null ? [] : ['run' => $run]) + $fields)->toolOutput();
    }

    /** @throws InvalidCommandException|RunFailedException there is none, or it is not for this user */
    private function rule(Command $command, ?Authenticatable $user): CommandRule
    {
        if ($command->tool === '') {
            throw new InvalidCommandException('Name a server and its tool: /mcp server.tool {"key": "value"}.');
        }
        $rules = $this->registry->commands;
        $rule = $rules[$command->name()] ?? ($command->server === null ? null : $rules["$command->server.*"] ?? null);
        if ($rule === null) {
            $nearest = Nearest::to($command->name(), $this->allowed($user));
            $kind = $command->server === null ? '/' : '/mcp ';
            throw new InvalidCommandException(
                "There is no tool $kind{$command->name()}." . ($nearest === null ? ' ' . self::AS_TEXT : ''),
                '',
                $nearest,
            );
        }
        if (!$rule->needsInput() && !$this->isAllowed($rule, $user, [])) {
            throw self::refusal('forbidden', "You may not run {$command->name()}.");
        }

        return $rule;
    }

    /** @return array<string, mixed>|\stdClass */
    private function schema(Command $command, CommandRule $rule): array|\stdClass
    {
        return $rule->schema ?? ($command->server === null ? $this->registry->schema($command->tool, $this->app) : []);
    }

    /** @return list<string> what a slip may be told to mean: nothing that is not for this user */
    private function allowed(?Authenticatable $user): array
    {
        $isMeant = fn (CommandRule $rule): bool => !$rule->needsInput() && $this->isAllowed($rule, $user, []);
        $names = array_map(strval(...), array_keys(array_filter($this->registry->commands, $isMeant)));

        return array_values(array_filter($names, static fn (string $name): bool => !str_ends_with($name, '*')));
    }

    /** @param array<string, mixed> $input */
    private function isAllowed(CommandRule $rule, ?Authenticatable $user, array $input): bool
    {
        return match (true) {
            is_bool($rule->allow) => $rule->allow,
            is_string($rule->allow) => $this->app->make(Gate::class)->forUser($user)->allows($rule->allow),
            default => ($user !== null || $rule->takesGuests()) && ($rule->allow)($user, $input) === true,
        };
    }

    /** @param array<string, string> $detail */
    private static function refusal(string $code, string $message, array $detail = []): RunFailedException
    {
        $details = $detail === [] ? [] : ['details' => [$detail]];
        $body = ['code' => $code, 'message' => $message, 'retryable' => false] + $details;

        return new RunFailedException(EventFactory::compose('', 1, 'error', $body));
    }
}
