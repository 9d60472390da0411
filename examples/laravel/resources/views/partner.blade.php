<article class="partner {{ $card->status() }}" data-partner="{{ $card->id }}" aria-labelledby="name-{{ $card->id }}">
  <div class="head">
    @if ($card->isComputed())
      <div class="score" role="img" aria-label="Score {{ $card->score() }} of 100">{{ $card->score() }}</div>
    @else
      <div class="score" role="img" aria-label="No score yet">–</div>
    @endif
    <div class="who">
      <h2 id="name-{{ $card->id }}">{{ $card->name }}</h2>
      <p class="facts">{{ $card->facts }}</p>
    </div>
    <p class="marks">
      @if ($card->isComputed())
        <span class="mark status">{{ $card->statusInWords() }}</span>
      @endif
      @if ($card->needsReview())
        <span class="mark review" title="The model is not sure enough of it.">needs review</span>
      @endif
    </p>
    <div class="buttons">
      <button type="button" data-do="compute" aria-describedby="name-{{ $card->id }}">{{ $card->order() }}</button>
      <button type="button" class="stop" data-do="stop" aria-describedby="name-{{ $card->id }}" hidden>Stop</button>
    </div>
  </div>
  <p class="now" role="status" data-testid="now"></p>
  @if ($card->error !== null)
    <p class="failed" data-testid="failed">The last try failed: {{ $card->error }}</p>
  @endif
  @if ($card->isComputed())
    <p class="first">{{ $card->reasons()[0]['text'] ?? '' }}</p>
    <details>
      <summary>{{ $card->contents() }}</summary>
      <h3>Why</h3>
      <ul class="reasons">
        @foreach ($card->reasons() as $reason)
          <li>
            <span class="weight {{ $reason['tone'] }}" style="--weight: {{ $reason['share'] }}"
              title="Counts {{ $reason['tone'] === 'neither' ? 'neither way' : "{$reason['tone']} the partnership" }}, from 0 to 1"
              >{{ $reason['weight'] }}</span>
            <div>
              <p>{{ $reason['text'] }}</p>
              @include('evidence', ['evidence' => $reason['evidence']])
            </div>
          </li>
        @endforeach
      </ul>
      @if ($card->actions() !== [])
        <h3>What to do</h3>
        <ul class="actions">
          @foreach ($card->actions() as $action)
            <li>
              <p>{{ $action['title'] }}</p>
              <p class="facts">{{ $action['owner'] }}, by {{ $action['due'] }}</p>
              @include('evidence', ['evidence' => $action['evidence']])
            </li>
          @endforeach
        </ul>
      @endif
    </details>
    <p class="facts source">
      Computed <time datetime="{{ $card->computedAt()->toIso8601String() }}"
        title="{{ $card->computedAt()->format('j M Y, H:i') }} UTC">{{ $card->computedAt()->diffForHumans() }}</time>
      @if ($card->isOld())<b>(old)</b>@endif
      {{ $card->source() }}
    </p>
  @else
    <p class="first none">Its health was not computed yet.</p>
  @endif
</article>
