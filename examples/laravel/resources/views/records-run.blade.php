@extends('fleet-page')
@section('title', "Run {$line->run->id}")
@section('here')<a href="/records">Records</a>@endsection
@section('head')<header><h1 class="name">{{ $line->run->id }}</h1></header>@endsection
@section('live')
  <div class="run alone {{ $line->tone() }}">
    <div class="head">
      <span class="mark" data-testid="state">{{ $line->state() }}</span>
      <p class="facts">{{ $line->run->started_at->format('j M Y, H:i:s') }} UTC</p>
      <div class="buttons">
        @if (filled(config('agent-workers.fleet.url')))
          @can('operate-fleet')<a href="/fleet/runs/{{ $line->run->id }}">Stop, retry or drop it</a>@endcan
        @endif
      </div>
    </div>
    <dl class="more">
      @foreach ($line->facts() as $name => $fact)
        <div><dt>{{ $name }}</dt><dd>{{ $fact }}</dd></div>
      @endforeach
    </dl>
  </div>
  <ol class="steps" aria-label="What happened">
    @foreach ($line->steps() as [$since, $happened, $said])
      <li>
        <p><span class="facts">{{ $since }}</span> <b>{{ $happened }}</b></p>
        @if ($said !== '')<pre tabindex="0">{{ $said }}</pre>@endif
      </li>
    @endforeach
  </ol>
@endsection
