<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Words;

/**
 * Reads the files that a visitor sends along with a prompt. What a file is, its bytes say, not its name.
 *
 * @internal
 */
final class Attachments
{
    private const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
    private const PDF = 'application/pdf';
    private const FIELDS = ['name', 'data'];
    private const LONGEST_NAME = 255;

    /** @var list<array<string, mixed>> */
    private array $blocks = [];
    /** @var array<string, string> */
    private array $faults = [];

    /** @param mixed $sent a list of `{name, data}`, with the bytes in base64 */
    public function __construct(mixed $sent)
    {
        $most = self::most();
        if (!is_array($sent) || !array_is_list($sent)) {
            $this->faults['attachments'] = Words::of('attachments.list');
        } elseif (count($sent) > $most) {
            $this->faults['attachments'] = Words::of('attachments.too_many', ['max' => (string) $most]);
        } else {
            foreach ($sent as $place => $file) {
                $this->read("attachments.$place", $file);
            }
        }
    }

    /** How many files a prompt may have; 0 where none are accepted. */
    public static function most(): int
    {
        return (int) config('agent-workers.stream.attachments.max', 0);
    }

    /** @return list<array<string, mixed>> content blocks */
    public function blocks(): array
    {
        return $this->blocks;
    }

    /** @return array<string, string> what is wrong, by field */
    public function faults(): array
    {
        return $this->faults;
    }

    private function read(string $field, mixed $file): void
    {
        if (!self::isFile($file)) {
            $this->faults[$field] = Words::of('attachments.form');

            return;
        }
        ['name' => $name, 'data' => $data] = $file;
        $data ??= '';
        $maxKb = (int) config('agent-workers.stream.attachments.max_kb', 4096);
        // Too much is not decoded at all.
        $bytes = strlen($data) > 4 * (int) ceil($maxKb * 1024 / 3) ? null : base64_decode($data, true);
        $type = is_string($bytes) ? (new \finfo(FILEINFO_MIME_TYPE))->buffer($bytes) : false;
        $fault = match (true) {
            $bytes === null, is_string($bytes) && strlen($bytes) > $maxKb * 1024 => 'too_large',
            // The contract has padded base64 without line breaks.
            $bytes === false, strlen($data) % 4 !== 0, preg_match('/\s/', $data) === 1 => 'encoding',
            $bytes === '' => 'empty',
            $type !== self::PDF && !in_array($type, self::IMAGES, true) => 'type',
            default => null,
        };
        if ($fault !== null) {
            $this->faults[$field] = Words::of("attachments.$fault", ['name' => $name, 'max' => (string) $maxKb]);

            return;
        }
        $source = ['type' => 'base64', 'media_type' => $type, 'data' => $data];
        $this->blocks[] = $type === self::PDF
            ? ['type' => 'document', 'source' => $source, 'title' => $name]
            : ['type' => 'image', 'source' => $source];
    }

    private static function isFile(mixed $file): bool
    {
        if (!is_array($file) || array_diff(array_keys($file), self::FIELDS) !== []) {
            return false;
        }
        // Laravel makes null of an empty text: an empty file.
        $file += ['name' => null, 'data' => false];
        ['name' => $name, 'data' => $data] = $file;

        return is_string($name) && $name !== '' && mb_strlen($name) <= self::LONGEST_NAME
            && ($data === null || is_string($data));
    }
}
