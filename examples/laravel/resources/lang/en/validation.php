<?php

declare(strict_types=1);

return [
    'required' => 'The :attribute is missing.',
    'string' => 'The :attribute must be text.',
    'uuid' => 'The :attribute must be a UUID.',
    'max' => ['string' => 'The :attribute is longer than :max characters.'],
];
