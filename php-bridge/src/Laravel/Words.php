<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Run\Ending;
use Illuminate\Support\Facades\Lang;

/**
 * What visitors read, in the language of the application: lang/…/messages.php of this package, or what the application
 * has published and changed.
 *
 * @internal
 */
final class Words
{
    private const FILE = 'agent-workers::messages.';
    /** Where neither the application's language nor its fallback has a line. */
    private const LAST_RESORT = 'en';

    /** @param array<string, string> $replace */
    public static function of(string $key, array $replace = []): string
    {
        $key = self::FILE . $key;

        return (string) Lang::get($key, $replace, Lang::has($key) ? null : self::LAST_RESORT);
    }

    /** @return array<string, string> the lines of a group, as they are written */
    public static function group(string $name): array
    {
        $lines = Lang::get(self::FILE . $name);

        return is_array($lines) ? $lines : (array) Lang::get(self::FILE . $name, [], self::LAST_RESORT);
    }

    public static function ofFailure(ErrorEvent|Aborted $event): string
    {
        if ($event instanceof Aborted) {
            return self::known('aborted', $event->reason, []);
        }

        $name = Ending::isOutOfSight($event) ? 'out_of_sight' : $event->code;

        return self::known('errors', $name, ['message' => $event->message, 'code' => $event->code]);
    }

    /**
     * Returns an error that this side has written, because the worker wrote none, in the language of the application.
     * What a worker wrote stays as it is.
     */
    public static function ofOurs(Event $event): Event
    {
        if (!$event instanceof ErrorEvent || !Ending::wrote($event)) {
            return $event;
        }
        try {
            $said = ['message' => self::ofFailure($event)] + (array) $event->jsonSerialize();

            return EventFactory::compose($event->run, $event->seq, $event->type, $said);
        } catch (\Throwable) {
            return $event; // it may tell of an application that is broken, in which nothing can be translated
        }
    }

    /** @param array<string, string> $replace */
    private static function known(string $group, string $name, array $replace): string
    {
        // A name with a dot would lead into the file.
        $key = preg_match('/^\w+$/', $name) === 1 ? "$group.$name" : "$group.other";
        $isKnown = Lang::has(self::FILE . $key) || Lang::hasForLocale(self::FILE . $key, self::LAST_RESORT);

        return self::of($isKnown ? $key : "$group.other", $replace);
    }
}
