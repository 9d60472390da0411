@if ($moment !== null)
  {{ $moment[0] }} <time datetime="{{ $moment[1]->toIso8601String() }}" title="{{ $moment[1]->format('j M Y, H:i:s') }} UTC">{{ $moment[1]->diffForHumans() }}</time>
@endif
