@if (filled(config('agent-workers.fleet.url'))) @can('operate-fleet') · <a href="/fleet">Fleet</a>@endcan @endif
@if (config('agent-workers.records.enabled')) @can('see-records') · <a href="/records">Records</a> · <a href="/runs">Runs</a>@endcan @endif
