<?php

declare(strict_types=1);

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\AnswersInJson;
use App\Http\Controllers\AskController;
use App\Http\Controllers\PlainController;
use App\Http\Controllers\TaskController;
use Illuminate\Support\Facades\Route;

Route::view('/', 'chat');
Route::get('/plain', PlainController::class);

// POST /agent/chat starts a run. GET /agent/runs/{run}/events continues its stream after a lost connection or
// a reload, POST /agent/runs/{run}/abort stops it.
Agent::routes('agent', middleware: ['throttle:120,1']);

// The same start from a controller of your own.
Route::post('/ask', AskController::class);

// An agent with tools. The same routes below /task/{run}; POST /task/{run}/permissions/{permission} answers its
// questions.
Route::view('/task', 'task');
Route::post('/task', TaskController::class)->middleware([AnswersInJson::class, 'throttle:120,1']);
Agent::runRoutes('task', middleware: ['throttle:120,1']);
