<?php

declare(strict_types=1);

namespace App\Http\Controllers;

final class PlainController
{
    /** The page without a build is plain HTML, shared by all examples: it only lacks this session's token. */
    public function __invoke(): string
    {
        $page = (string) file_get_contents(resource_path('plain.html'));

        return str_replace('name="csrf-token" content=""', 'name="csrf-token" content="' . csrf_token() . '"', $page);
    }
}
