<?php

declare(strict_types=1);

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\AnswersInJson;
use App\Http\Controllers\AskController;
use App\Http\Controllers\FleetController;
use App\Http\Controllers\PartnerController;
use App\Http\Controllers\PlainController;
use App\Http\Controllers\RecordsController;
use App\Http\Controllers\RunsController;
use App\Http\Controllers\TaskController;
use Illuminate\Support\Facades\Route;

Route::view('/', 'chat');
Route::get('/plain', PlainController::class);
Route::get('/plain/task', PlainController::class)->defaults('task', true);

// <x-agent-workers::chat />, for a chat and for a task.
Route::view('/component', 'component', ['task' => false]);
Route::view('/component/task', 'component', ['task' => true]);

// POST /agent/chat starts a run. GET /agent/runs/{run}/events continues its stream after a lost connection or
// a reload, POST /agent/runs/{run}/abort stops it.
Agent::routes('agent', middleware: ['throttle:120,1']);

// With AGENT_WORKERS_RECORDS, the visitor's conversations are the server's: of the chat, and of the tasks.
Agent::conversationRoutes('agent/conversations', 'chat', ['throttle:240,1']);
Agent::conversationRoutes('agent/tasks', 'task', ['throttle:240,1']);

// With AGENT_GATEWAY_URL the pages' runs are the gateway's: POST /agent/token gives them their tokens, and POST
// /agent/webhooks takes what became of the runs.
Agent::gatewayRoutes('agent', middleware: ['throttle:120,1']);
Agent::webhooks('agent');

// The same start from a controller of your own.
Route::post('/ask', AskController::class);

// An agent with tools. The same routes below /task/{run}; POST /task/{run}/permissions/{permission} answers its
// questions.
Route::view('/task', 'task');
Route::post('/task', TaskController::class)->middleware([AnswersInJson::class, 'throttle:120,1']);
Agent::runRoutes('task', middleware: ['throttle:120,1']);

// Partners and their health. POST /partners/{partner}/health streams a run of the skill partner-health, with the same
// routes below /partners/runs/{run}; what it says is stored, and GET /partners/{partner} is the partner's card.
Agent::runRoutes('partners/runs', middleware: ['throttle:120,1']);
Route::get('/partners', [PartnerController::class, 'index']);
Route::get('/partners/{partner}', [PartnerController::class, 'show']);
Route::post('/partners/{partner}/health', [PartnerController::class, 'health'])
    ->middleware([AnswersInJson::class, 'throttle:120,1']);

// What was asked, done and spent, for whoever may see it: see RecordsServiceProvider.
Route::middleware('can:see-records')->prefix('records')->group(static function (): void {
    Route::get('/', [RecordsController::class, 'index']);
    Route::get('/{run}', [RecordsController::class, 'show']);
});

// The same by user, worker, skill, status and day, and what is to be done about a run: see RunsServiceProvider.
Route::middleware('can:see-records')->prefix('runs')->group(static function (): void {
    Route::get('/', [RunsController::class, 'index']);
    Route::get('/{run}', [RunsController::class, 'show']);
    Route::middleware('can:operate-runs')->group(static function (): void {
        Route::post('/{run}/abort', [RunsController::class, 'abort']);
        Route::post('/{run}/retry', [RunsController::class, 'retry']);
        Route::post('/{run}/drop', [RunsController::class, 'drop']);
    });
});

// The fleet, for whoever may operate it: see FleetServiceProvider.
Route::middleware('can:operate-fleet')->prefix('fleet')->group(static function (): void {
    Route::get('/', [FleetController::class, 'index']);
    Route::get('/runs/{run}', [FleetController::class, 'show']);
    Route::post('/runs/{run}/abort', [FleetController::class, 'abort']);
    Route::post('/dead/{run}/retry', [FleetController::class, 'retry']);
    Route::post('/dead/{run}/drop', [FleetController::class, 'drop']);
});
