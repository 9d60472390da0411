<?php

declare(strict_types=1);

namespace AgentWorkers\Tests;

/** A directory of the test's own, removed after it. */
trait TemporaryDirectory
{
    private ?string $directory = null;

    /** @after */
    protected function removeDirectory(): void
    {
        if ($this->directory !== null) {
            $entries = new \RecursiveIteratorIterator(
                new \RecursiveDirectoryIterator($this->directory, \FilesystemIterator::SKIP_DOTS),
                \RecursiveIteratorIterator::CHILD_FIRST,
            );
            foreach ($entries as $entry) {
                $entry->isDir() && !$entry->isLink() ? rmdir($entry->getPathname()) : unlink($entry->getPathname());
            }
            rmdir($this->directory);
            $this->directory = null;
        }
    }

    private function directory(): string
    {
        if ($this->directory === null) {
            $this->directory = sys_get_temp_dir() . '/php-bridge-' . bin2hex(random_bytes(6));
            mkdir($this->directory, 0700);
        }

        return $this->directory;
    }
}
