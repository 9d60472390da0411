<li class="run {{ $text->tone() }}">
  <div class="what">
    <a href="/runs/{{ $text->run->id }}">{{ $text->title() }}</a>
    <p class="facts">{{ $text->about() }}</p>
  </div>
  <span class="mark">{{ $text->code() ?? $text->state() }}</span>
  <p class="facts when">@include('fleet-time', ['moment' => $text->moment()])</p>
</li>
