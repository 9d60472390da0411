@php($charts = ['usd' => ['Cost', App\Runs\RunText::usd($days->usd()) . ', at most ' . App\Runs\RunText::usd($days->dearest()) . ' a day'], 'errors' => ['Failed', $days->sum('errors') . ' of ' . $days->sum('runs') . ' runs']])
@foreach ($charts as $of => [$name, $sum])
  <figure class="bars">
    <figcaption><b>{{ $name }}</b> <span class="facts">{{ $sum }}</span></figcaption>
    <svg class="{{ $of }}" role="img" aria-label="{{ $name }} in each of {{ count($days->all) }} days: {{ $sum }}. The table of days has the numbers.">
      <line x1="0" x2="100%" y1="100%" y2="100%"/>
      @foreach ($days->bars($of) as $bar)
        <rect x="{{ $bar['x'] }}%" y="{{ $bar['y'] }}%" width="{{ $bar['width'] }}%" height="{{ $bar['height'] }}%"><title>{{ $bar['told'] }}</title></rect>
      @endforeach
    </svg>
    <p class="ends facts" aria-hidden="true"><span>{{ $days->all[0]['day']->format('j M') }}</span><span>{{ $days->all[count($days->all) - 1]['day']->format('j M') }} UTC</span></p>
  </figure>
@endforeach
<details id="by-day" class="wide">
  <summary>Days in numbers</summary>
  <table>
    <thead><tr><th scope="col">Day</th><th scope="col">Runs</th><th scope="col">Failed</th><th scope="col">Cost</th></tr></thead>
    <tbody>
      @foreach (array_reverse($days->all) as $day)
        <tr>
          <th scope="row"><a href="/runs?{{ http_build_query(['day' => $day['day']->format('Y-m-d')] + $selection->filters) }}">{{ $day['day']->format('j M') }}</a></th>
          <td>{{ $day['runs'] }}</td>
          <td>{{ $day['errors'] }}</td>
          <td>{{ App\Runs\RunText::usd($day['usd']) }}</td>
        </tr>
      @endforeach
    </tbody>
  </table>
</details>
