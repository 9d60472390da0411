<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

/**
 * Tells commands from text that only begins with a slash.
 *
 * A command is a slash at the very beginning, the name of a tool, and then nothing, or a blank and arguments. It is one
 * line; only JSON arguments and quoted values may go over several. `/mcp` is followed by `server.tool`. Everything else
 * is text: `/`, `/ foo`, `//x`, `/usr/bin is a path`, `/find_partner, please`.
 */
final class Detector
{
    private const COMMAND = '~^/(?<name>[A-Za-z0-9_-]{1,64})(?:[ \t]+(?<rest>.*)|\n(?<json>\s*\{.*))?$~Ds';
    private const MCP_TOOL = '~^(?<server>[A-Za-z0-9_-]{1,64})\.(?<tool>[A-Za-z0-9_.-]{1,128})(?:\s+(?<rest>.*))?$~Ds';

    public static function detect(string $text): ?Command
    {
        $text = rtrim(str_replace("\r\n", "\n", $text), " \t\r\n");
        if (preg_match(self::COMMAND, $text, $found) !== 1) {
            return null;
        }
        $rest = trim($found['json'] ?? $found['rest'] ?? '');
        if ($found['name'] !== 'mcp') {
            return self::isArguments($rest) ? new Command($found['name'], $rest) : null;
        }
        if (preg_match(self::MCP_TOOL, $rest, $named) !== 1) {
            return str_contains($rest, "\n") ? null : new Command('', $rest, '');
        }
        $rest = trim($named['rest'] ?? '');

        return self::isArguments($rest) ? new Command($named['tool'], $rest, $named['server']) : null;
    }

    /** Whether nothing but JSON and quoted values goes over several lines. */
    private static function isArguments(string $text): bool
    {
        if ($text === '' || $text[0] === '{') {
            return true;
        }
        $unquoted = preg_replace('~="(?:[^"\\\\]++|\\\\.)*+"|=\'[^\']*+\'~s', '=', $text) ?? $text;

        return !str_contains($unquoted, "\n");
    }
}
