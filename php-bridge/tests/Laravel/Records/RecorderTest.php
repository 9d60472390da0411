<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Records;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\AgentWorkersServiceProvider;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentEvent;
use AgentWorkers\Laravel\Records\AgentInsight;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\AgentUsage;
use AgentWorkers\Laravel\Records\Budget;
use AgentWorkers\Laravel\Records\ConversationRecords;
use AgentWorkers\Laravel\Records\Recorder;
use AgentWorkers\Laravel\Records\Spool;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\TestCase;
use Illuminate\Auth\GenericUser;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

/** What is recorded of the runs that go through Laravel. */
final class RecorderTest extends TestCase
{
    use Databases;

    private const UUID = '5b6f4b60-5a3c-4d8a-9a52-1f1f5c1f2a11';

    public function testNothingIsRecordedUnlessItIsSwitchedOn(): void
    {
        $this->record();
        config(['agent-workers.records.enabled' => false]);
        Agent::fake('Hi');
        self::assertSame('Hi', Agent::chat('Hello')->text());
        self::assertSame(0, AgentRun::query()->count());
    }

    public function testAnApplicationThatRecordsNothingNeedsNoDatabase(): void
    {
        $this->app->offsetUnset('db');
        self::assertFalse($this->app->make(Recorder::class)->isOn());
        self::assertNull($this->app->make(ConversationRecords::class)->find(self::UUID));
        $this->app->make(Budget::class)->check('7', null);
    }

    public function testTheQuestionIsThereBeforeTheAnswerBegins(): void
    {
        $this->record();
        Agent::fake('In Rome.');
        $seen = null;
        $run = Agent::chat("Where is it?\nSay it.")->user('7')->tenant('acme')->subject('deal', 3)->goal('Find it')
            ->onEvent(static function () use (&$seen): void {
                $seen ??= AgentMessage::query()->first();
            });
        $done = $run->run();
        self::assertSame(['question', 0, "Where is it?\nSay it."], [$seen->kind, $seen->seq, $seen->content]);

        $run = AgentRun::query()->findOrFail($done->run);
        self::assertSame(
            ['done', '7', 'acme', ['type' => 'deal', 'id' => '3'], 'Find it', 'agent-chat', 'end_turn'],
            [$run->status, $run->user, $run->tenant, $run->subject, $run->goal, $run->worker, $run->stop_reason],
        );
        self::assertEquals($done->costUsd, $run->cost_usd);
        self::assertNotNull($run->ended_at);
        self::assertSame(['question', 'text'], $run->messages->pluck('kind')->all());
        self::assertSame('In Rome.', $run->messages[1]->content);
        self::assertSame([$done->usage->inputTokens, '7'], [$run->usage[0]->input_tokens, $run->usage[0]->user]);
        self::assertSame(['done'], $run->events->pluck('type')->all());
        self::assertSame('Where is it?', AgentConversation::query()->findOrFail($run->conversation_id)->title);
    }

    public function testAStreamAndItsConversationBelongToWhoIsSignedIn(): void
    {
        $this->record();
        Agent::fake(Script::text('Found.')->running('Read', ['file' => 'a']), 'And more.');
        $this->actingAs(new GenericUser(['id' => 7]));
        $this->ask(['prompt' => 'Look', 'conversation' => self::UUID])->streamedContent();
        $this->ask(['prompt' => 'Go on', 'conversation' => self::UUID])->streamedContent();
        $found = AgentConversation::query()->sole();
        self::assertSame([self::UUID, '7', 'Look'], [$found->id, $found->owner, $found->title]);
        self::assertSame(['7', '7'], $found->runs->pluck('user')->all());
        self::assertSame(
            ['question', 'tool_call', 'tool_result', 'text', 'question', 'text'],
            $found->runs->flatMap->messages->pluck('kind')->all(),
        );
        self::assertSame(['file' => 'a'], $found->runs[0]->messages[1]->content);
    }

    public function testARunOnTheQueueHasOneRowForAllItsAttempts(): void
    {
        $this->record();
        Agent::fake(Script::error('overloaded', retryable: true), 'Hi');
        Agent::chat('Hello')->tenant('acme')->tap(static function ($pending): void {
            $pending->user('7');
        });
        $job = new RunAgent(['prompt' => 'Hello', 'user' => '7']);
        $job->party = ['tenant' => 'acme', 'user' => '7'];
        foreach ([1, 2] as $attempt) {
            $job->setJob($queued = \Mockery::mock(\Illuminate\Contracts\Queue\Job::class));
            $queued->allows(['attempts' => $attempt, 'maxTries' => 3, 'release' => null, 'fail' => null]);
            $this->app->call($job->handle(...));
        }
        $run = AgentRun::query()->sole();
        self::assertSame(['done', 2, null, 'acme'], [$run->status, $run->attempts, $run->code, $run->tenant]);
        self::assertSame([[2, 'question'], [2, 'text']], $run->messages->map(
            static fn (AgentMessage $message): array => [$message->attempt, $message->kind],
        )->all());
        self::assertSame([[1, 'error'], [2, 'done']], $run->events->map(
            static fn (AgentEvent $event): array => [$event->attempt, $event->type],
        )->all());
    }

    public function testARunThatIsLeftIsAborted(): void
    {
        $this->record();
        Agent::fake('One two three');
        foreach (Agent::chat('Hello')->events() as $event) {
            if ($event instanceof Delta) {
                break;
            }
        }
        $run = AgentRun::query()->sole();
        self::assertSame(['aborted', 'client', 'One '], [$run->status, $run->code, $run->messages[1]->content]);
    }

    public function testWhatASkillFoundIsAnInsight(): void
    {
        $this->record();
        $fake = Agent::fake();
        $fake->skill('classify', ['topic' => 'fair']);
        Agent::skill('classify', ['text' => 'We meet.'])->subject('deal', 7)->output();
        $insight = AgentInsight::query()->where('subject_key', 'deal:7')->sole();
        self::assertSame(['classify', ['topic' => 'fair']], [$insight->skill, $insight->output]);
        self::assertSame('classify', AgentUsage::query()->sole()->skill);
    }

    public function testWhatWasSaidToTheAgentIsRecordedWithTheWordsAndWhoSaidThem(): void
    {
        $this->record();
        Agent::tool('city', 'The city.', ['type' => 'object'], static fn (): string => 'Rome');
        Agent::fake(Script::text('Done.')->callingTool('city', []));
        $run = Agent::chat('Hello')->appTools('city')->events();
        $run->onEvent(static function (Event $event) use ($run): void {
            $event->type === 'tool_call' && $run->steer('Only Graz', 'user-7');
        })->wait();
        $steer = AgentMessage::query()->where('kind', 'steer')->sole();
        self::assertSame(['Only Graz', 'user-7', 'user'], [$steer->content, $steer->actor, $steer->role]);
    }

    public function testContentsAreEncryptedWhereThatIsSwitchedOn(): void
    {
        $this->record();
        config(['agent-workers.records.encrypt' => true]);
        Agent::fake('In Rome.');
        Agent::chat('Where is Ada, who is somewhere between here and there, and not at home?')->goal('Find Ada')->run();
        foreach (['agent_messages', 'agent_events', 'agent_conversations', 'agent_runs'] as $table) {
            self::assertStringNotContainsString('Ada', (string) json_encode(self::table($table)->get()));
            self::assertStringNotContainsString('Rome', (string) json_encode(self::table($table)->get()));
        }
        self::assertSame('In Rome.', AgentMessage::query()->where('kind', 'text')->sole()->content);
        self::assertSame('In Rome.', AgentEvent::query()->sole()->payload['text']);
        self::assertSame('Find Ada', AgentRun::query()->sole()->goal);
        $conversation = AgentConversation::query()->sole();
        self::assertSame('Where is Ada, who is somewhere', $conversation->title);
        self::assertLessThanOrEqual(255, strlen((string) self::table('agent_conversations')->value('title')));
        config(['agent-workers.records.encrypt' => false]);
        self::assertSame('In Rome.', AgentMessage::query()->where('kind', 'text')->sole()->content);
    }

    public function testADatabaseThatIsAwayStopsNoAnswerAndIsWrittenLater(): void
    {
        $this->record();
        $database = config('database.connections.test.database');
        config(['database.connections.test.database' => $this->directory() . '/none/db.sqlite']);
        DB::purge();
        Agent::fake(Script::text('In Rome.')->running('Read'), 'Again.');
        self::assertSame('In Rome.', Agent::chat('Where?')->text());
        self::assertFalse($this->app->make(Spool::class)->isEmpty());
        self::assertSame(0600, fileperms($this->directory() . '/spool') & 0777);
        self::assertSame(2, Artisan::call('agent:records flush'));

        config(['database.connections.test.database' => $database]);
        DB::purge();
        self::assertSame(0, Artisan::call('agent:records flush'));
        $run = AgentRun::query()->sole();
        self::assertSame('done', $run->status);
        self::assertSame(['question', 'tool_call', 'tool_result', 'text'], $run->messages->pluck('kind')->all());
        self::assertTrue($this->app->make(Spool::class)->isEmpty());
    }

    public function testTheNextRunThatFindsTheDatabaseWritesWhatWaits(): void
    {
        $this->record();
        Schema::rename('agent_messages', 'elsewhere');
        Agent::fake('One', 'Two');
        Agent::chat('First')->run();
        self::assertSame(0, AgentRun::query()->count());
        Schema::rename('elsewhere', 'agent_messages');
        touch($this->directory() . '/spool.away', time() - 60);
        Agent::chat('Second')->run();
        self::assertSame(2, AgentRun::query()->where('status', 'done')->count());
        self::assertSame(4, AgentMessage::query()->count());
        self::assertTrue($this->app->make(Spool::class)->isEmpty());
    }

    public function testASpoolThatIsFullLosesWhatDoesNotFitAndNoAnswer(): void
    {
        $this->record();
        config(['agent-workers.records.spool.max_bytes' => 3_000]);
        Schema::drop('agent_messages');
        Agent::fake(str_repeat('Word ', 2_000));
        self::assertStringStartsWith('Word', Agent::chat('Hello')->text());
        clearstatcache();
        self::assertLessThanOrEqual(3_000, filesize($this->directory() . '/spool'));
        self::assertGreaterThan(0, filesize($this->directory() . '/spool'));
    }

    public function testAFailureHereBreaksNoTransactionOfTheApplication(): void
    {
        $this->record();
        Schema::drop('agent_messages');
        Schema::create('deals', static fn ($table) => $table->string('name'));
        Agent::fake('Hi');
        DB::transaction(static function (): void {
            DB::table('deals')->insert(['name' => 'one']);
            Agent::chat('Hello')->run();
            DB::table('deals')->insert(['name' => 'two']);
        });
        self::assertSame(2, DB::table('deals')->count());
    }

    public function testWhatTheSpoolHasThatNoDatabaseTakesIsDroppedAndTheRestIsWritten(): void
    {
        $this->record();
        Schema::rename('agent_messages', 'elsewhere');
        Agent::fake('One', 'Two');
        Agent::chat('First')->run();
        file_put_contents($this->directory() . '/spool', "{\"run\": cut off\n", FILE_APPEND);
        Agent::chat('Second')->run();
        Schema::rename('elsewhere', 'agent_messages');
        $this->app->make(Recorder::class)->flush();
        self::assertSame(['done', 'done'], AgentRun::query()->pluck('status')->all());
    }

    public function testTheMigrationIsOneOfTheApplicationsWhereRecordsAreOn(): void
    {
        $this->connect('sqlite');
        config(['agent-workers.records.enabled' => true, 'agent-workers.records.prefix' => 'crm_']);
        (new AgentWorkersServiceProvider($this->app))->boot();
        self::assertCount(1, $this->app->make('migrator')->paths());
        self::assertSame(0, Artisan::call('migrate', ['--force' => true]));
        self::assertTrue(Schema::hasTable('crm_agent_runs'));
        Agent::fake('Hi');
        Agent::chat('Hello')->run();
        self::assertSame(1, AgentRun::query()->count());
        self::assertSame(0, Artisan::call('migrate:rollback', ['--force' => true]));
        self::assertFalse(Schema::hasTable('crm_agent_runs'));
    }

    public function testAKeepingThatDoesNotExistIsTold(): void
    {
        $this->record();
        config(['agent-workers.records.keep' => 'all']);
        Agent::fake('Hi');
        $this->expectExceptionMessage('cannot be all. It is one of: everything, no-tools, metadata.');
        Agent::chat('Hello')->run();
    }
}
