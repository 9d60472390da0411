<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;

/**
 * Takes the path of the folder in which an agent works out of its events. Fields that name a file have the path in the
 * folder; in texts it is called `[folder]`, because a relative path in a command may mean another file.
 *
 * @internal
 */
final class HiddenFolder
{
    private const FIELDS = 'file_path|notebook_path|path|cwd';
    private const NAME = '[folder]';

    /** What is JSON within JSON has more backslashes. No end to them would cost a text of backslashes much time. */
    private const BACKSLASHES = '\\\\{0,7}';
    private const SLASH = self::BACKSLASHES . '/';

    /** @var list<string> patterns of its paths as they stand in JSON, the longest first */
    private readonly array $folders;

    public function __construct(string $folder)
    {
        $named = array_filter(array_unique([rtrim($folder, '/'), (string) realpath($folder)]));
        usort($named, static fn (string $one, string $other): int => strlen($other) <=> strlen($one));
        $this->folders = array_map(self::pattern(...), $named);
    }

    public function of(Event $event): Event
    {
        $json = $event->toJson();
        $hidden = array_reduce($this->folders, self::without(...), $json);

        return $hidden === $json ? $event : EventFactory::fromJson($hidden);
    }

    private static function pattern(string $folder): string
    {
        $json = substr((string) json_encode($folder, JSON_UNESCAPED_SLASHES), 1, -1);

        return strtr(preg_quote($json, '~'), ['/' => self::SLASH, '\\\\u' => self::BACKSLASHES . 'u']);
    }

    private static function without(string $json, string $folder): string
    {
        $field = '(?<!\\\\)"(?:' . self::FIELDS . ')":\s?"\K' . $folder;
        $slashes = '(?:' . self::SLASH . ')';

        return (string) preg_replace(
            // The last is not of a folder whose name only begins alike.
            ["~$field$slashes+(?=[^\"])~", "~$field$slashes*(?=\")~", "~$folder(?![\w-]|\.\w)~"],
            ['', '.', self::NAME],
            $json,
        );
    }
}
