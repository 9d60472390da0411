<?php

declare(strict_types=1);

$vendor = __DIR__ . '/../vendor/autoload.php';
if (is_file($vendor)) {
    require $vendor;

    return;
}

// Without Composer: Symfony and PSR from Debian's packages php-symfony-process and php-psr-log.
require_once 'Symfony/Component/Process/autoload.php';
require_once 'Psr/Log/autoload.php';

spl_autoload_register(static function (string $class): void {
    foreach (['AgentWorkers\\Tests\\' => __DIR__, 'AgentWorkers\\' => __DIR__ . '/../src'] as $prefix => $directory) {
        if (str_starts_with($class, $prefix)) {
            $file = $directory . '/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            is_file($file) && require $file;

            return;
        }
    }
});
