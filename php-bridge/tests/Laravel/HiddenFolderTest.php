<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Testing\Script;
use Illuminate\Auth\GenericUser;
use Illuminate\Support\Facades\Route;

final class HiddenFolderTest extends TestCase
{
    private const FOLDER = '/srv/tasks/a-b';

    public function testABrowserIsToldFilesByTheirNamesInTheFolderAndNotWhereThatIs(): void
    {
        $others = self::FOLDER . '-old/y ' . self::FOLDER . '.2';
        $events = $this->shown([
            'file_path' => self::FOLDER . '/notes.txt',
            'path' => self::FOLDER,
            'command' => 'cd /tmp && rm ' . self::FOLDER . "/x\n$others " . self::FOLDER . '.',
        ]);
        self::assertSame(
            [
                'file_path' => 'notes.txt',
                'path' => '.',
                // A relative path would be one below /tmp.
                'command' => "cd /tmp && rm [folder]/x\n$others [folder].",
            ],
            $events['tool_call']['input'],
        );
        self::assertSame($events['tool_call']['input'], $events['permission_request']['input']);
    }

    public function testWhatIsNotInTheFolderAndWhatOnlyLooksLikeAFieldStaysAsItIs(): void
    {
        $input = ['file_path' => '/etc/hosts', 'content' => '"path": "/srv/tasks/a-b2/c"', 'none' => new \stdClass()];
        $shown = $this->shown($input, decoded: false);
        self::assertStringContainsString('"none":{}', $shown);
        self::assertStringContainsString('a-b2\/c', $shown);
        self::assertStringContainsString('\/etc\/hosts', $shown);
    }

    public function testWithoutItABrowserIsToldAllOfThePath(): void
    {
        $path = self::FOLDER . '/notes.txt';
        $events = $this->shown(['file_path' => $path], isHidden: false);
        self::assertSame(['file_path' => $path], $events['tool_call']['input']);
    }

    public function testItsPathIsHiddenAlsoWhereItIsWrittenAsJsonOnceOrTwice(): void
    {
        $folder = '/srv/tâche/a-b';
        $json = (string) json_encode(['file' => "$folder/x"]);
        $twice = (string) json_encode($json);
        Agent::fake(Script::text('Done.')->asking('Write', ['content' => $json, 'more' => $twice]));
        Route::post('/work', static fn (ChatRequest $request)
            => Agent::task($request, $folder)->onPermission(static fn () => true)->hideFolder());
        $events = array_column($this->eventsOf($this->postJson('/work', ['prompt' => 'Tidy up.'])), null, 'type');
        $input = $events['tool_call']['input'];
        self::assertSame('{"file":"[folder]\/x"}', $input['content']);
        self::assertMatchesRegularExpression('~^[^/]+\[folder\][^/]+/x[^/]+$~', $input['more']);
    }

    public function testWhoFollowsARunThatAnotherRequestIteratesIsNotToldItEither(): void
    {
        $this->actingAs(new GenericUser(['id' => 7]));
        $input = ['file_path' => self::FOLDER . '/notes.txt'];
        Agent::fake(Script::text('Done.')->asking('Write', $input));
        $run = null;
        $seen = [];
        Route::post('/work', static function (ChatRequest $request) use (&$run, &$seen): string {
            $run = Agent::task($request, self::FOLDER)->onPermission(static fn () => true)->hideFolder()->events();
            foreach ($run as $event) {
                $seen[$event->type] = $event;
            }

            return 'Done.';
        });
        $this->postJson('/work', ['prompt' => 'Tidy up.'])->assertOk();
        self::assertSame($input, $seen['tool_call']->input); // the application is told all
        $shown = array_column($this->eventsOf($this->follow($run->id, 0)), null, 'type');
        self::assertSame(['file_path' => 'notes.txt'], $shown['tool_call']['input']);
    }

    /** @param array<string, mixed> $input */
    private function shown(array $input, bool $isHidden = true, bool $decoded = true): mixed
    {
        Agent::fake(Script::text('Done.')->asking('Write', $input));
        Route::post('/work', static fn (ChatRequest $request)
            => Agent::task($request, self::FOLDER)->onPermission(static fn () => true)->hideFolder($isHidden));
        $response = $this->postJson('/work', ['prompt' => 'Tidy up.']);

        return $decoded ? array_column($this->eventsOf($response), null, 'type') : $response->streamedContent();
    }
}
