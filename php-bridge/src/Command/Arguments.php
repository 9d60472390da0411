<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

use AgentWorkers\Exception\InvalidCommandException;

/**
 * Reads the arguments of a command by the schema of its tool: `city=Graz limit=3`, with quotes where a value has
 * blanks, or one JSON object.
 */
final class Arguments
{
    private const NAME = '~\G\s*([^\s="\'{}\[\]]+)=~';
    private const VALUE = <<<'PATTERN'
        ~\G(?:"((?:[^"\\]++|\\.)*+)"|'([^']*+)'|([\[{].*)|([^\s"']\S*)?)~s
        PATTERN;

    /** Less than JSON's 512 levels: a request and an event nest the input further. */
    private const DEEPEST = 500;

    private readonly Schema $schema;
    private int $place = 0;
    /** @var array<string, mixed> */
    private array $values = [];

    private function __construct(private readonly string $text, Schema $schema)
    {
        $this->schema = $schema;
    }

    /**
     * @param array<string, mixed>|\stdClass $schema JSON Schema of the tool's input; empty where it is not known
     *
     * @return \stdClass the input
     *
     * @throws InvalidCommandException
     */
    public static function parse(string $text, array|\stdClass $schema): \stdClass
    {
        $known = Schema::of($schema);
        $text = trim($text);
        if (preg_match('//u', $text) !== 1) {
            throw new InvalidCommandException('The arguments are not valid UTF-8.');
        }
        $input = str_starts_with($text, '{') ? self::json($text, $known) : (new self($text, $known))->pairs();
        self::expressible($input);
        $known->check($input);

        return $input;
    }

    /** Numbers such as 1e999 are read, but JSON cannot write them, nor values that are nested much deeper than tools take. */
    private static function expressible(\stdClass $input): void
    {
        foreach ((array) $input as $name => $value) {
            if (json_encode($value, 0, self::DEEPEST) === false) {
                $why = lcfirst(json_last_error_msg());
                throw new InvalidCommandException("JSON cannot express the argument \"$name\": $why.", "/$name");
            }
        }
    }

    private static function json(string $text, Schema $schema): \stdClass
    {
        $input = json_decode($text);

        return $input instanceof \stdClass ? $input : throw new InvalidCommandException(sprintf(
            'The arguments are no JSON object (%s). Write %s or %s.',
            lcfirst(json_last_error_msg()),
            $schema->sample(true),
            $schema->sample(false),
        ));
    }

    private function pairs(): \stdClass
    {
        while ($this->place < strlen($this->text)) {
            if (preg_match(self::NAME, $this->text, $found, 0, $this->place) !== 1) {
                $word = strtok(trim(substr($this->text, $this->place)), " \t\n") ?: '';
                throw new InvalidCommandException(
                    sprintf('"%s" names no argument. Write %s.', $word, $this->schema->sample(false)),
                );
            }
            $this->place += strlen($found[0]);
            $this->add($found[1]);
        }

        return (object) $this->values;
    }

    private function add(string $name): void
    {
        $this->schema->knows($name);
        $value = $this->value($name);
        if (!array_key_exists($name, $this->values)) {
            $this->values[$name] = $value;
        } elseif ($this->schema->isList($name)) {
            $this->values[$name] = [...(array) $this->values[$name], ...(array) $value];
        } else {
            throw new InvalidCommandException("The argument \"$name\" is given twice.", "/$name");
        }
    }

    private function value(string $name): mixed
    {
        preg_match(self::VALUE, $this->text, $found, PREG_UNMATCHED_AS_NULL, $this->place);
        if (isset($found[3])) {
            return $this->nested($name, $found[3]);
        }
        $this->place += strlen($found[0]);
        $next = $this->text[$this->place] ?? ' ';
        if (!ctype_space($next)) {
            $quote = in_array($next, ['"', "'"], true) && $found[0] === '';
            throw new InvalidCommandException($quote
                ? "The quote of the argument \"$name\" is not closed."
                : "After the value of the argument \"$name\" a blank is missing.", "/$name");
        }
        $quoted = isset($found[1]) ? self::unescaped($found[1]) : $found[2] ?? null;

        return $this->schema->typed($name, $quoted ?? $found[4] ?? '', $quoted !== null);
    }

    private static function unescaped(string $text): string
    {
        return strtr($text, ['\\"' => '"', '\\\\' => '\\', '\\n' => "\n", '\\t' => "\t"]);
    }

    /** A list or an object as JSON, up to where it is complete. */
    private function nested(string $name, string $rest): mixed
    {
        if ($this->schema->isText($name)) {
            $word = preg_match('~^\S+~', $rest, $found) === 1 ? $found[0] : $rest;
            $this->place += strlen($word);

            return $word;
        }
        $depth = 0;
        preg_match_all('~"(?:[^"\\\\]++|\\\\.)*+"|[\[\]{}]~s', $rest, $found, PREG_OFFSET_CAPTURE);
        foreach ($found[0] as [$token, $offset]) {
            $depth += match ($token) {
                '[', '{' => 1,
                ']', '}' => (-1),
                default => 0,
            };
            if ($depth === 0) {
                $json = substr($rest, 0, $offset + 1);
                $value = json_decode($json);
                $this->place += strlen($json);

                return json_last_error() === JSON_ERROR_NONE ? $value : throw new InvalidCommandException(
                    "The argument \"$name\" is no JSON: " . lcfirst(json_last_error_msg()) . '.',
                    "/$name",
                );
            }
        }
        throw new InvalidCommandException("The brackets of the argument \"$name\" are not closed.", "/$name");
    }
}
