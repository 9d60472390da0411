@if (filled(config('agent-workers.fleet.url'))) @can('operate-fleet') · <a href="/fleet">Fleet</a>@endcan @endif
