<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Stream\FileStore;
use AgentWorkers\Laravel\Stream\Store;
use Illuminate\Cache\FileStore as LaravelFileStore;
use Illuminate\Cache\Repository;
use Illuminate\Contracts\Cache\Factory;
use Illuminate\Config\Repository as Config;
use Illuminate\Filesystem\Filesystem;
use Symfony\Component\Process\Process;

/** One process waits for what another writes, in files. */
final class FileStoreTest extends TestCase
{
    public function testAFileThatIsStillEmptyHoldsNothingAndStaysForWhoeverCreatedIt(): void
    {
        foreach (['', '1000000000' . serialize('of old')] as $contents) {
            $path = $this->file($contents);
            self::assertFalse($this->store()->isAbortAsked('o', 'r'));
            self::assertFileExists($path);
        }
        self::assertTrue($this->store()->settleWord('o', 'r', 'w', true));
        self::assertTrue($this->store()->isWordTaken('o', 'r', 'w'));
    }

    /** @dataProvider writers */
    public function testWhoeverWritesWaitsForAReaderThatHoldsTheFile(string $write): void
    {
        $reader = fopen($this->file(''), 'r');
        flock($reader, LOCK_SH);
        $writer = $this->inAnotherProcess($write);
        $this->untilItWaits($writer);
        flock($reader, LOCK_UN);
        self::assertSame(0, $writer->wait(), $writer->getErrorOutput());
        self::assertSame('true', $writer->getOutput());
        self::assertTrue($this->store()->isAbortAsked('o', 'r'));
    }

    /** @dataProvider writers */
    public function testWhatIsWrittenWhileSomebodyDeletesTheFileIsThere(string $write): void
    {
        $other = fopen($path = $this->file(''), 'r');
        flock($other, LOCK_EX);
        $writer = $this->inAnotherProcess($write);
        $this->untilItWaits($writer);
        unlink($path);
        flock($other, LOCK_UN);
        self::assertSame(0, $writer->wait(), $writer->getErrorOutput());
        self::assertTrue($this->store()->isAbortAsked('o', 'r'));
    }

    /** @return array<string, array{string}> */
    public function writers(): array
    {
        return ['put' => ['put'], 'add' => ['add']];
    }

    public function testOfManyThatAddTheSameOneGetsTrueAndNoneOfWhatIsAddedIsLostToAReader(): void
    {
        $adding = 'for ($n = 0; $n < 300; $n++) { usleep(50); echo (int) $files->add("k$n", getmypid(), 60); }';
        $writers = array_map(fn (): Process => $this->php($adding), range(1, 3));
        for ($number = 0, $end = microtime(true) + 60; $number < 300 && microtime(true) < $end;) {
            $number += (int) ($this->files()->get("k$number") !== null);
        }
        $told = array_map(static function (Process $writer): array {
            $writer->wait();

            return str_split($writer->getOutput());
        }, $writers);
        self::assertSame(300, $number);
        $winners = array_map(static fn (string ...$of): int => (int) array_sum($of), ...$told);
        self::assertSame(array_fill(0, 300, 1), $winners);
    }

    public function testItKeepsTheFoldersAndPermissionsOfTheApplicationsStore(): void
    {
        $laravels = new LaravelFileStore(new Filesystem(), $this->directory(), 0640);
        $store = FileStore::in($laravels);
        $store->put('key', ['a' => 1], 60);
        self::assertSame(['a' => 1], $laravels->get('key'));
        $laravels->put('key', 'other', 60);
        self::assertSame('other', $store->get('key'));
        $path = glob($this->directory() . '/*/*/*')[0];
        self::assertSame(0640, fileperms($path) & 0777);
        self::assertFalse($store->add('key', 'third', 60));
        self::assertTrue($store->forget('key'));
        self::assertTrue($store->add('key', 'third', 60));
    }

    private function store(): Store
    {
        $caches = $this->createMock(Factory::class);
        $files = new LaravelFileStore(new Filesystem(), $this->directory());
        $caches->method('store')->willReturn(new Repository($files));

        return new Store($caches, new Config());
    }

    private function files(): FileStore
    {
        return FileStore::in(new LaravelFileStore(new Filesystem(), $this->directory()));
    }

    /** @return string path of the key that isAbortAsked() reads */
    private function file(string $contents): string
    {
        $hash = sha1($this->key());
        $folder = $this->directory() . '/' . substr($hash, 0, 2) . '/' . substr($hash, 2, 2);
        is_dir($folder) || mkdir($folder, 0777, true);
        file_put_contents("$folder/$hash", $contents);

        return "$folder/$hash";
    }

    private function key(): string
    {
        return 'agent-workers:run:o:' . hash('sha256', 'r') . ':abort';
    }

    private function inAnotherProcess(string $write): Process
    {
        return $this->php("echo json_encode(\$files->$write('{$this->key()}', ['asked' => 1], 60));");
    }

    private function php(string $code): Process
    {
        $head = "require '" . __DIR__ . "/../bootstrap.php'; require '" . __DIR__ . "/laravel.php'; "
            . '$files = AgentWorkers\Laravel\Stream\FileStore::in(new Illuminate\Cache\FileStore('
            . "new Illuminate\Filesystem\Filesystem(), '{$this->directory()}')); ";
        $process = new Process(['php', '-r', $head . $code], null, null, null, 60);
        $process->start();

        return $process;
    }

    /** Until the process sleeps in its call of flock. */
    private function untilItWaits(Process $process): void
    {
        for ($end = microtime(true) + 30; microtime(true) < $end; usleep(5_000)) {
            $calls = @file_get_contents("/proc/{$process->getPid()}/wchan");
            if ($calls !== false && str_contains($calls, 'lock') || !$process->isRunning()) {
                return;
            }
        }
        self::fail('It does not wait.');
    }
}
