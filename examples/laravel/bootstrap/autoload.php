<?php

declare(strict_types=1);

$vendor = dirname(__DIR__) . '/vendor/autoload.php';
if (is_file($vendor)) {
    require_once $vendor;

    return;
}

// Without Composer: Laravel from Debian's package php-laravel-framework, and the bridge from this repository.
require_once 'Illuminate/autoload.php';

spl_autoload_register(static function (string $class): void {
    $places = [
        'App\\' => __DIR__ . '/../app/',
        'Database\\Seeders\\' => __DIR__ . '/../database/seeders/',
        'AgentWorkers\\' => __DIR__ . '/../../../php-bridge/src/',
    ];
    foreach ($places as $prefix => $directory) {
        $file = $directory . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
        if (str_starts_with($class, $prefix) && is_file($file)) {
            require $file;
        }
    }
});
