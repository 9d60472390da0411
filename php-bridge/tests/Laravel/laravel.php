<?php

declare(strict_types=1);

// Not in tests/bootstrap.php: the rest of the tests shows that the bridge does without Laravel.
if (!class_exists(Illuminate\Foundation\Application::class)) {
    // Debian's php-laravel-framework and php-mockery.
    require_once 'Illuminate/autoload.php';
    require_once 'Mockery/autoload.php';
}
