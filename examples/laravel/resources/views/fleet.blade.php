@extends('fleet-page')
@section('title', 'Fleet')
@section('here')<b>Fleet</b>@endsection
@section('head')<header><h1>Fleet</h1></header>@endsection
@section('live')
  <ul class="counts">
    @foreach ($counts as $name => $count)
      <li><b>{{ $count }}</b> {{ $name }}</li>
    @endforeach
  </ul>

  @if ($warnings !== [])
    <ul class="warnings" aria-label="What holds runs up">
      @foreach ($warnings as $warning)
        <li>{{ $warning }}</li>
      @endforeach
    </ul>
  @endif

  @if ($seen->queues === [] && $seen->machines === [])
    <div class="blank">
      <h2>Nothing has been asked of this fleet yet</h2>
      <p>Say something in the <a href="/">chat</a>. A machine that is to run it starts <code>agent-workers fleet work</code>.</p>
    </div>
  @endif

  @if ($dead !== [])
    <section aria-labelledby="of-dead">
      <h2 id="of-dead">Failed for good <span class="number">{{ $seen->dead }}</span></h2>
      <ul class="runs">
        @foreach ($dead as $each)
          @php($line = $each->status === null ? null : new App\Fleet\RunLine($each->status))
          <li class="run bad">
            <div class="what">
              <a id="dead-{{ $each->run }}" @if ($line !== null) href="/fleet/runs/{{ $each->run }}" @endif>{{ $each->run }}</a>
              @if ($line !== null)
                <p class="facts">{{ $line->worker() }} · {{ $line->place() }} · @include('fleet-time', ['moment' => $line->moment()])</p>
              @else
                <p class="facts">Its job is not kept any more.</p>
              @endif
            </div>
            <span class="mark">{{ $each->status->code ?? 'forgotten' }}</span>
            <div class="buttons">
              @if ($line !== null)
                <form method="post" action="/fleet/dead/{{ $each->run }}/retry">
                  @csrf
                  <button id="retry-{{ $each->run }}" aria-describedby="dead-{{ $each->run }}">Retry</button>
                </form>
              @else
                <form method="post" action="/fleet/dead/{{ $each->run }}/drop">
                  @csrf
                  <button id="drop-{{ $each->run }}" class="stop" aria-describedby="dead-{{ $each->run }}">Drop</button>
                </form>
              @endif
            </div>
          </li>
        @endforeach
      </ul>
      @if ($seen->dead > count($dead))
        <p class="facts">And {{ $seen->dead - count($dead) }} more: <code>agent-workers fleet dead list</code>.</p>
      @endif
    </section>
  @endif

  @if ($seen->queues !== [])
    <section aria-labelledby="of-queues">
      <h2 id="of-queues">Queues</h2>
      <ul class="tiles">
        @foreach ($seen->queues as $name => $queue)
          <li class="tile">
            <h3>{{ $name }}</h3>
            <p class="load"><b>{{ $queue->running }}</b> of {{ $queue->slots }} {{ $queue->slots === 1 ? 'slot' : 'slots' }}
              @if ($queue->limit !== null)<span class="facts">· at most {{ $queue->limit }}</span>@endif</p>
            <meter min="0" max="{{ max(1, $queue->slots, $queue->running) }}" value="{{ $queue->running }}" aria-label="Runs in {{ $name }}"></meter>
            <dl>
              <div @if ($queue->waiting > 0) class="some" @endif><dt>waiting</dt><dd>{{ $queue->waiting }}</dd></div>
              <div @if ($queue->scheduled > 0) class="some" @endif><dt>scheduled</dt><dd>{{ $queue->scheduled }}</dd></div>
              <div @if ($queue->asking > 0) class="some asks" @endif><dt>asking</dt><dd>{{ $queue->asking }}</dd></div>
            </dl>
            <p class="facts">{{ $ended[$name] }}</p>
          </li>
        @endforeach
      </ul>
    </section>
  @endif

  @if ($seen->machines !== [])
    <section aria-labelledby="of-machines">
      <h2 id="of-machines">Machines</h2>
      <ul class="tiles">
        @foreach ($seen->machines as $name => $machine)
          <li class="tile">
            <h3>{{ $name }}</h3>
            <p class="load"><b>{{ $machine->running }}</b> of {{ $machine->slots }} {{ $machine->slots === 1 ? 'slot' : 'slots' }}</p>
            @if ($machine->slots === 0)<p class="facts">stops when its runs have ended</p>@endif
          </li>
        @endforeach
      </ul>
    </section>
  @endif

  @if ($runs !== [])
    <section aria-labelledby="of-runs">
      <h2 id="of-runs">Runs</h2>
      <ul class="runs">
        @foreach ($runs as $line)
          <li class="run {{ $line->tone() }}">
            <div class="what">
              <a id="run-{{ $line->job->run }}" href="/fleet/runs/{{ $line->job->run }}">{{ $line->job->run }}</a>
              <p class="facts">{{ $line->worker() }} · {{ $line->place() }}</p>
            </div>
            <span class="mark">{{ $line->state() }}</span>
            <p class="facts when">@include('fleet-time', ['moment' => $line->moment()])</p>
          </li>
        @endforeach
      </ul>
    </section>
  @endif
@endsection
