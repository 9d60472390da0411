<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Run;
use AgentWorkers\Runner;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Reading;
use PHPUnit\Framework\TestCase;

/** The recorded runs of the contract, as an application gets them: every reader in every language reads them alike. */
final class TranscriptTest extends TestCase
{
    private const FOLDER = __DIR__ . '/../../../conformance/v1';

    /** @dataProvider transcripts */
    public function testARunFromAProcessIsReadAsTheContractSays(string $file, string $digest): void
    {
        $worker = new ProcessRunner('/bin/sh', ['-c', 'exec cat "$0"', $file]);

        self::assertSame($digest, self::reading(self::runOf($worker))->digest());
    }

    /** @dataProvider transcripts */
    public function testARunInPiecesIsReadAsTheContractSays(string $file, string $digest): void
    {
        $worker = new FakeRunner(Script::bytes(file_get_contents($file))->inChunksOf(97));

        self::assertSame($digest, self::reading(self::runOf($worker))->digest());
    }

    public function testARunThatBreaksOffEndsInAnErrorOfTheBridge(): void
    {
        $bytes = file_get_contents(self::FOLDER . '/transcripts/crash.ndjson');
        $events = iterator_to_array(self::runOf(new FakeRunner(Script::bytes($bytes))), false);
        $end = end($events);

        self::assertInstanceOf(ErrorEvent::class, $end);
        self::assertSame(['worker_lost', true, count($events)], [$end->code, $end->retryable, $end->seq]);
        self::assertNotSame('', $end->message);
    }

    /** @return iterable<string, array{string, string}> */
    public static function transcripts(): iterable
    {
        $digests = json_decode(file_get_contents(self::FOLDER . '/digests.json'), true, flags: JSON_THROW_ON_ERROR);
        foreach ($digests as $name => $digest) {
            yield $name => [self::FOLDER . "/transcripts/$name.ndjson", $digest];
        }
    }

    private static function runOf(Runner $worker): Run
    {
        return $worker->stream(Request::prompt('Hello'));
    }

    private static function reading(Run $run): Reading
    {
        $json = file_get_contents(self::FOLDER . '/reading.json');
        $reading = new Reading(json_decode($json, true, flags: JSON_THROW_ON_ERROR));
        foreach ($run as $event) {
            $reading->add($event);
        }

        return $reading;
    }
}
