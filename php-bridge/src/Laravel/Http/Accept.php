<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\AcceptHeader;

/**
 * Reads and sets the form in which a request wants its answer. Laravel looks at the first accepted type only.
 *
 * @internal
 */
final class Accept
{
    private const STREAM = 'text/event-stream';
    private const JSON = 'application/json';
    private const WANTS_STREAM = 'agent-workers.wants-stream';
    private const ASKED = 'agent-workers.accept';

    public static function wantsStream(Request $request): bool
    {
        return $request->attributes->get(self::WANTS_STREAM) === true;
    }

    /** Tells whether whoever sent the request wants JSON, and said so. */
    public static function asksForJson(Request $request): bool
    {
        $asked = $request->attributes->get(self::ASKED) ?? (string) $request->headers->get('Accept');

        return str_contains(strtolower((string) AcceptHeader::fromString($asked)->first()?->getValue()), 'json');
    }

    /** Tells whether the request asks for an event stream. If so, Laravel will answer it in JSON. */
    public static function expectStream(Request $request): bool
    {
        $accepted = (string) $request->headers->get('Accept');
        if (strtolower((string) AcceptHeader::fromString($accepted)->first()?->getValue()) !== self::STREAM) {
            return false;
        }
        self::set($request, self::JSON . ", $accepted");
        $request->attributes->set(self::WANTS_STREAM, true);

        return true;
    }

    /** Makes Laravel answer in JSON, whatever the request asks for. */
    public static function expectJson(Request $request): void
    {
        self::set($request, self::JSON);
        $request->attributes->remove(self::WANTS_STREAM);
    }

    private static function set(Request $request, string $accepted): void
    {
        if (!$request->attributes->has(self::ASKED)) {
            $request->attributes->set(self::ASKED, (string) $request->headers->get('Accept'));
        }
        $request->headers->set('Accept', $accepted);
        // The request remembers what it accepts once somebody has asked; that is out of date now.
        (fn () => $this->acceptableContentTypes = null)->call($request);
    }
}
