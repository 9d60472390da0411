<?php

declare(strict_types=1);

// For `php -S … -t public`: files of public/ as they are, everything else to Laravel.
$public = realpath(__DIR__ . '/public');
$path = rawurldecode((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$file = $public . $path;
// A path that is not the file's own (`..`, a link, a NUL) may lead out of public/.
if (!str_contains($path, "\0") && is_file($file) && realpath($file) === $file) {
    return false;
}
// Where the server has found a file of its own, it says that this is the script.
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = $public . '/index.php';
require $_SERVER['SCRIPT_FILENAME'];
