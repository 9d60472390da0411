<?php

declare(strict_types=1);

namespace App\Http\Controllers;

final class PlainController
{
    private const PAGES = '<nav aria-label="Pages"><a href="/">Chat</a> · <a href="/task">Task</a> · '
        . '<a href="/partners">Partners</a> · <b>Without a build</b> · '
        . '<a href="/component">Blade component</a></nav>';

    /**
     * The page without a build is a static file: this adds the session's CSRF token and links to the other pages, and
     * for tasks their routes.
     */
    public function __invoke(bool $task = false): string
    {
        $page = (string) file_get_contents(resource_path('plain.html'));

        return strtr($page, [
            'name="csrf-token" content=""' => 'name="csrf-token" content="' . csrf_token() . '"',
            'endpoint="/agent/chat"' => $task ? 'endpoint="/task" runs="/task"' : 'endpoint="/agent/chat"',
            '<body>' => '<body>' . self::PAGES,
        ]);
    }
}
