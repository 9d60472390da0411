@extends('fleet-page')
@section('title', "Run {$line->job->run}")
@section('here')<a href="/fleet">Fleet</a>@endsection
@section('head')<header><h1 class="name">{{ $line->job->run }}</h1></header>@endsection
@section('live')
  <div class="run alone {{ $line->tone() }}">
    <div class="head">
      <span class="mark" data-testid="state">{{ $line->state() }}</span>
      <p class="facts">@include('fleet-time', ['moment' => $line->moment()])</p>
      <div class="buttons">
        @if (!$line->job->isOver())
          <form method="post" action="/fleet/runs/{{ $line->job->run }}/abort">
            @csrf
            <button id="abort" class="stop">Stop</button>
          </form>
        @endif
        @if ($isDead)
          <form method="post" action="/fleet/dead/{{ $line->job->run }}/retry">
            @csrf
            <button id="retry">Retry</button>
          </form>
          <form method="post" action="/fleet/dead/{{ $line->job->run }}/drop">
            @csrf
            <button id="drop" class="stop">Drop</button>
          </form>
        @endif
      </div>
    </div>
    @if ($why !== null)
      <p class="failed">{{ $why }}</p>
    @endif
    <dl class="more">
      @foreach ($facts as $name => $fact)
        <div>
          <dt>{{ $name }}</dt>
          <dd>@if (is_array($fact))<a href="/fleet/runs/{{ $fact[0] }}">{{ $fact[0] }}</a>@else{{ $fact }}@endif</dd>
        </div>
      @endforeach
    </dl>
  </div>
@endsection
@section('rest')
  <details>
    <summary>What was asked</summary>
    <pre tabindex="0">{{ $request }}</pre>
  </details>
@endsection
