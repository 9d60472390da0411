<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use Illuminate\Cache\FileStore as LaravelFileStore;

/**
 * Laravel's cache in files, for keys that one process waits for while another writes them.
 *
 * Laravel's own loses some: who reads a file between its creation and its first byte takes it for an expired one and
 * deletes it, with what is written a moment later; and add() gives up, as if the key were there, while a reader holds
 * the file.
 *
 * @internal
 */
final class FileStore extends LaravelFileStore
{
    public static function in(LaravelFileStore $store): self
    {
        return new self($store->getFilesystem(), $store->getDirectory(), $store->filePermission);
    }

    /**
     * @param string $key
     * @param mixed  $value
     * @param int    $seconds
     */
    public function put($key, $value, $seconds): bool
    {
        return $this->write($key, $value, $seconds, static fn (): bool => true);
    }

    /**
     * @param string $key
     * @param mixed  $value
     * @param int    $seconds
     */
    public function add($key, $value, $seconds): bool
    {
        return $this->write($key, $value, $seconds, fn (string $expiry): bool => $this->isOver($expiry));
    }

    /**
     * @param string $key
     *
     * @return array{data: mixed, time: int|null}
     */
    protected function getPayload($key): array
    {
        $file = @fopen($this->path($key), 'r');
        if ($file === false) {
            return ['data' => null, 'time' => null];
        }
        flock($file, LOCK_SH);
        $contents = (string) stream_get_contents($file);
        fclose($file);
        $expiry = substr($contents, 0, 10);
        if ($this->isOver($expiry)) {
            return ['data' => null, 'time' => null]; // and the file stays: somebody may be about to write it
        }

        return ['data' => unserialize(substr($contents, 10)), 'time' => (int) $expiry - $this->currentTime()];
    }

    /** @param \Closure(string): bool $mayWrite is given the expiry that is there, or nothing */
    private function write(string $key, mixed $value, int $seconds, \Closure $mayWrite): bool
    {
        $this->ensureCacheDirectoryExists($path = $this->path($key));
        do {
            $file = fopen($path, 'c+');
            if ($file === false) {
                return false;
            }
            flock($file, LOCK_EX);
            clearstatcache(true, $path);
            $isDeleted = @fileinode($path) !== fstat($file)['ino']; // while this one waited for the lock
        } while ($isDeleted && fclose($file));
        $isWritten = false;
        if ($mayWrite((string) fread($file, 10))) {
            rewind($file);
            ftruncate($file, 0);
            $bytes = $this->expiration($seconds) . serialize($value);
            $isWritten = fwrite($file, $bytes) === strlen($bytes);
        }
        fclose($file);
        $this->ensurePermissionsAreCorrect($path);

        return $isWritten;
    }

    private function isOver(string $expiry): bool
    {
        return $expiry === '' || $this->currentTime() >= (int) $expiry;
    }
}
