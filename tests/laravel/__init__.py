"""The page of examples/laravel, with nothing made up but the model: browser, nginx, php-fpm, Laravel, worker, CLI."""
