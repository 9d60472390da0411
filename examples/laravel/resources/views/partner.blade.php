<article class="partner {{ $card->status() }}" data-partner="{{ $card->id }}" aria-labelledby="name-{{ $card->id }}">
  <div class="head">
    @if ($card->isComputed())
      <div class="score" role="img" aria-label="{{ __('Score :score of 100', ['score' => $card->score()]) }}">{{ $card->score() }}</div>
    @else
      <div class="score" role="img" aria-label="{{ __('No score yet') }}">–</div>
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
        <span class="mark review" title="{{ __('The model is not sure enough of it.') }}">{{ __('needs review') }}</span>
      @endif
    </p>
    <div class="buttons">
      <button type="button" data-do="compute" aria-describedby="name-{{ $card->id }}">{{ $card->order() }}</button>
      <button type="button" class="stop" data-do="stop" aria-describedby="name-{{ $card->id }}" hidden>{{ __('Stop') }}</button>
    </div>
  </div>
  <p class="now" role="status" data-testid="now"></p>
  @if ($card->error !== null)
    <p class="failed" data-testid="failed">{{ __('The last try failed: :why', ['why' => $card->error]) }}</p>
  @endif
  @if ($card->isComputed())
    <p class="first">{{ $card->reasons()[0]['text'] ?? '' }}</p>
    <details>
      <summary>{{ $card->contents() }}</summary>
      <h3>{{ __('Why') }}</h3>
      <ul class="reasons">
        @foreach ($card->reasons() as $reason)
          <li>
            <span class="weight {{ $reason['tone'] }}" style="--weight: {{ $reason['share'] }}"
              title="{{ $reason['title'] }}"
              >{{ $reason['weight'] }}</span>
            <div>
              <p>{{ $reason['text'] }}</p>
              @include('evidence', ['evidence' => $reason['evidence']])
            </div>
          </li>
        @endforeach
      </ul>
      @if ($card->actions() !== [])
        <h3>{{ __('What to do') }}</h3>
        <ul class="actions">
          @foreach ($card->actions() as $action)
            <li>
              <p>{{ $action['title'] }}</p>
              <p class="facts">{{ __(':owner, by :date', ['owner' => $action['owner'], 'date' => $action['due']]) }}</p>
              @include('evidence', ['evidence' => $action['evidence']])
            </li>
          @endforeach
        </ul>
      @endif
    </details>
    <p class="facts source">
      {{ __('Computed') }} <time datetime="{{ $card->computedAt()->toIso8601String() }}"
        title="{{ $card->computedAt()->translatedFormat('j M Y, H:i') }} UTC">{{ $card->computedAt()->diffForHumans() }}</time>
      @if ($card->isOld())<b>({{ __('old') }})</b>@endif
      {{ $card->source() }}
    </p>
  @else
    <p class="first none">{{ __('Its health was not computed yet.') }}</p>
  @endif
</article>
