<?php

declare(strict_types=1);

namespace App;

use Illuminate\Filesystem\Filesystem;

/** The folder in which the agent works: each visitor has one, with a sample file in it. */
final class TaskFolder
{
    public function __construct(private readonly Filesystem $files)
    {
    }

    public function of(string $session): string
    {
        $folder = storage_path('app/tasks/' . substr(hash('sha256', $session), 0, 32));
        $this->files->ensureDirectoryExists($folder, 0700);
        if (!$this->files->exists("$folder/notes.txt")) {
            $this->files->copy(resource_path('notes.txt'), "$folder/notes.txt");
        }

        return $folder;
    }
}
