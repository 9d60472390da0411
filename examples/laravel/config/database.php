<?php

declare(strict_types=1);

return [
    'default' => 'sqlite',
    'connections' => [
        'sqlite' => [
            'driver' => 'sqlite',
            'database' => env('DB_DATABASE', storage_path('app/database.sqlite')),
            'prefix' => '',
            // With foreign_key_constraints every request, also of a chat that keeps nothing there, would open the file.
        ],
    ],
    'migrations' => 'migrations',
];
