<?php

declare(strict_types=1);

namespace App\Http\Controllers;

final class PlainController
{
    private const PAGES = '<nav aria-label="Pages"><a href="/">Chat</a> · <a href="/task">Task</a> · '
        . '<a href="/partners">Partners</a> · <b>Without a build</b></nav>';

    /** The page without a build is a static file: this adds the session's CSRF token and links to the other pages. */
    public function __invoke(): string
    {
        $page = (string) file_get_contents(resource_path('plain.html'));

        return strtr($page, [
            'name="csrf-token" content=""' => 'name="csrf-token" content="' . csrf_token() . '"',
            '<body>' => '<body>' . self::PAGES,
        ]);
    }
}
