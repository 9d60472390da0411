@extends('fleet-page')
@section('title', 'Records')
@section('here')<b>Records</b>@endsection
@section('head')<header><h1>Records</h1></header>@endsection
@section('live')
  <section aria-labelledby="of-days">
    <h2 id="of-days">Cost and errors</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="of-days">
      <table class="chart">
        <thead><tr><th>Day</th><th>Runs</th><th>Cost</th><th>Errors</th></tr></thead>
        <tbody>
          @foreach ($days as $day)
            <tr>
              <th scope="row">{{ $day['day'] }}</th>
              <td>{{ $day['runs'] }}</td>
              <td><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="cost" width="{{ round(100 * $day['cost'], 2) }}" height="8"/></svg> ${{ number_format($day['usd'], 4) }}</td>
              <td><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="bad" width="{{ round(100 * $day['failed'], 2) }}" height="8"/></svg> {{ $day['errors'] }}</td>
            </tr>
          @endforeach
        </tbody>
      </table>
    </div>
  </section>

  @forelse ($lists as $name => $lines)
    <section aria-labelledby="list-{{ $loop->index }}">
      <h2 id="list-{{ $loop->index }}">{{ $name }}</h2>
      <ul class="runs">
        @foreach ($lines as $line)
          <li class="run {{ $line->tone() }}">
            <div class="what">
              <a href="/records/{{ $line->run->id }}">{{ $line->run->id }}</a>
              <p class="facts">{{ $line->what() }}</p>
            </div>
            <span class="mark">{{ $line->state() }}</span>
            <p class="facts when"><time datetime="{{ $line->run->started_at->toIso8601String() }}">{{ $line->run->started_at->diffForHumans() }}</time></p>
          </li>
        @endforeach
      </ul>
    </section>
  @empty
    <div class="blank">
      <h2>Nothing was asked yet</h2>
      <p>Say something in the <a href="/">chat</a>.</p>
    </div>
  @endforelse
@endsection
