<?php

declare(strict_types=1);

use AgentWorkers\Laravel\Facades\Agent;
use App\Http\Controllers\AskController;
use App\Http\Controllers\PlainController;
use Illuminate\Support\Facades\Route;

Route::view('/', 'chat');
Route::get('/plain', PlainController::class);

// POST /agent/chat starts a run, GET /agent/runs/{run}/events goes on with one after a lost connection.
Agent::routes('agent', middleware: ['throttle:120,1']);

// The same start from a controller of your own.
Route::post('/ask', AskController::class);
