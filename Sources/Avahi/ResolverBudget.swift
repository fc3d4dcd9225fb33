import LinkLocal

/// Which instances have a resolver. The first ones keep theirs and so see every change; when there are too many, the
/// others share a few: each is resolved once, and again only when it is browsed anew, so its address may be an old one.
struct ResolverBudget {
  private var kept: Set<Sighting.Key> = []
  private var passing: Set<Sighting.Key> = []
  private var waiting: [Sighting.Key] = []
  private let keptLimit: Int
  private let passingLimit: Int

  init(kept: Int = AvahiLimits.keptResolvers, passing: Int = AvahiLimits.passingResolvers) {
    keptLimit = kept
    passingLimit = passing
  }

  /// - Returns: the instance to resolve now, if any; so for all verbs.
  mutating func appeared(_ key: Sighting.Key) -> Sighting.Key? {
    if kept.count < keptLimit {
      kept.insert(key)
      return key
    }
    if passing.count < passingLimit {
      passing.insert(key)
      return key
    }
    if waiting.count < AvahiLimits.waitingInstances { waiting.append(key) }
    return nil
  }

  /// Its resolver has told something.
  mutating func settled(_ key: Sighting.Key) -> (isKept: Bool, next: Sighting.Key?) {
    guard passing.remove(key) != nil else { return (true, nil) }
    return (false, next())
  }

  /// It is no longer listed.
  mutating func vanished(_ key: Sighting.Key) -> Sighting.Key? {
    if kept.remove(key) == nil, passing.remove(key) == nil { waiting.removeAll { $0 == key } }
    return next()
  }

  private mutating func next() -> Sighting.Key? {
    guard !waiting.isEmpty, kept.count < keptLimit || passing.count < passingLimit else { return nil }
    return appeared(waiting.removeFirst())
  }
}
