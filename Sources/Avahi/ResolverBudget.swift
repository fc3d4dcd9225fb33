import LinkLocal

/// Which instances have a resolver. Those that somebody wants keep theirs and so see every change, then those that came first;
/// the others share a few: each is resolved when it appears, when somebody wants it, and again in its turn.
///
/// Few are started at a time, as fast as avahi-daemon answers: each call waits for it, and hundreds at once keep it busy for
/// seconds.
///
/// More than eight properties: an instance is in one of several lists, by what it waits for, and two of them have bounds.
struct ResolverBudget {
  enum Step: Equatable {
    case resolve(Sighting.Key)
    /// Its resolver goes, to another one.
    case free(Sighting.Key)
  }

  private enum Place: Equatable {
    /// Until others are wanted more: a higher number was wanted later, 0 never.
    case kept(wanted: Int)
    case passing
    case waiting
    /// Resolved, since that time.
    case idle(ContinuousClock.Instant)

    var idleSince: ContinuousClock.Instant? {
      if case .idle(let since) = self { since } else { nil }
    }
  }

  private var places: [Sighting.Key: Place] = [:]
  /// In their order; those that have another place by now are passed over.
  private var waiting = Line()
  private var idle = Line()
  private var kept = 0
  private var passing = 0
  /// Whose resolver has told nothing yet.
  private var unsettled: Set<Sighting.Key> = []
  private var wishes = 0
  private let keptLimit: Int
  private let passingLimit: Int

  init(kept: Int = AvahiLimits.keptResolvers, passing: Int = AvahiLimits.passingResolvers) {
    keptLimit = kept
    passingLimit = passing
  }

  /// - Returns: what to do now, in this order; so for all verbs. Nothing where it has to wait.
  mutating func appeared(_ key: Sighting.Key) -> [Step] {
    guard places[key] == nil else { return [] }
    places[key] = .waiting
    waiting.append(key)
    return proceed()
  }

  /// Somebody asks for it: it gets a resolver now, and keeps it.
  mutating func wanted(_ key: Sighting.Key, now: ContinuousClock.Instant) -> [Step] {
    guard let place = places[key] else { return [] }
    wishes += 1
    var steps: [Step] = []
    if case .kept = place {
    } else if kept < keptLimit {
      kept += 1
    } else if let last = leastWanted {
      unsettled.remove(last)
      rest(last, now: now)
      steps.append(.free(last))
    } else {
      return []
    }
    places[key] = .kept(wanted: wishes)
    switch place {
    case .kept: break
    case .passing: passing -= 1
    case .waiting, .idle:
      unsettled.insert(key)
      steps.append(.resolve(key))
    }
    return steps + proceed()
  }

  /// Its resolver has told something.
  mutating func settled(_ key: Sighting.Key, now: ContinuousClock.Instant) -> [Step] {
    unsettled.remove(key)
    guard places[key] == .passing else { return proceed() }
    passing -= 1
    rest(key, now: now)
    return [.free(key)] + proceed()
  }

  /// It is no longer listed; its resolver is gone.
  mutating func vanished(_ key: Sighting.Key) -> [Step] {
    unsettled.remove(key)
    switch places.removeValue(forKey: key) {
    case .kept: kept -= 1
    case .passing: passing -= 1
    case .waiting, .idle, nil: break
    }
    return proceed()
  }

  /// Those whose turn it is again, `AvahiLimits.refreshesAtOnce` at most. To be called every second while `needsTurns`.
  mutating func turn(now: ContinuousClock.Instant) -> [Step] {
    for _ in 0..<AvahiLimits.refreshesAtOnce {
      guard let key = next(of: \.idle, where: { $0.idleSince.map { now - $0 >= AvahiLimits.refresh } }) else { break }
      places[key] = .waiting
      waiting.append(key)
    }
    return proceed()
  }

  /// Whether there is anything that has no resolver of its own.
  var needsTurns: Bool { places.count > kept }

  private mutating func proceed() -> [Step] {
    var steps: [Step] = []
    while unsettled.count < passingLimit {
      guard let key = next(of: \.waiting, where: { $0 == .waiting ? true : nil }) else { break }
      if kept < keptLimit {
        kept += 1
        places[key] = .kept(wanted: 0)
      } else {
        passing += 1
        places[key] = .passing
      }
      unsettled.insert(key)
      steps.append(.resolve(key))
    }
    return steps
  }

  private mutating func rest(_ key: Sighting.Key, now: ContinuousClock.Instant) {
    places[key] = .idle(now)
    idle.append(key)
  }

  private var leastWanted: Sighting.Key? {
    var least: (key: Sighting.Key, wanted: Int)?
    for case (let key, .kept(let wanted)) in places where least.map({ wanted < $0.wanted }) ?? true {
      least = (key, wanted)
    }
    return least?.key
  }

  /// Takes the first one of a line whose place fits: true. False leaves it, nil drops it.
  private mutating func next(
    of line: WritableKeyPath<Self, Line>, where fits: (Place) -> Bool?
  ) -> Sighting.Key? {
    while let key = self[keyPath: line].first {
      switch places[key].flatMap(fits) {
      case true?:
        self[keyPath: line].removeFirst()
        return key
      case false?: return nil
      case nil: self[keyPath: line].removeFirst()
      }
    }
    return nil
  }
}

/// First in, first out, each once.
private struct Line {
  private var keys: [Sighting.Key] = []
  private var members: Set<Sighting.Key> = []

  var first: Sighting.Key? { keys.first }

  mutating func append(_ key: Sighting.Key) {
    if members.insert(key).inserted { keys.append(key) }
  }

  mutating func removeFirst() {
    members.remove(keys.removeFirst())
  }
}
