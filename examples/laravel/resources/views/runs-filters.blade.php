<form method="get" action="/runs" class="filters" aria-label="Which runs">
  @foreach (['user' => 'User', 'worker' => 'Worker', 'skill' => 'Skill'] as $column => $label)
    <label>{{ $label }}
      <select name="{{ $column }}">
        <option value="">any</option>
        @foreach ($selection->choices($column) as $choice)
          <option @if (($selection->filters[$column] ?? null) === $choice) selected @endif>{{ $choice }}</option>
        @endforeach
      </select>
    </label>
  @endforeach
  <label>Status
    <select name="status">
      <option value="">any</option>
      @foreach (App\Runs\Selection::STATUSES as $status => $word)
        <option value="{{ $status }}" @if (($selection->filters['status'] ?? null) === $status) selected @endif>{{ $word }}</option>
      @endforeach
    </select>
  </label>
  <label>Day <input type="date" name="day" value="{{ $selection->filters['day'] ?? '' }}"></label>
  <div class="buttons">
    <button>Filter</button>
    @if ($selection->filters !== [])<a href="/runs">Show all</a>@endif
  </div>
</form>
