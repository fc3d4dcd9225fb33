/// Elements that wait, each under a key: those of one key in their order, the keys in turn.
///
/// For a few hundred elements: taking one moves those behind it.
package struct TurnQueue<Key: Hashable & Sendable, Element: Sendable>: Sendable {
  private var elements: [Key: [Element]] = [:]
  /// Each key with elements once; the next in turn is the first.
  private var turns: [Key] = [] {
    didSet { isEmpty = turns.isEmpty }
  }
  /// Kept, since each request asks, and the code of this type does not know its types.
  package private(set) var isEmpty = true

  package init() {}

  /// How many keys have elements.
  package var keyCount: Int { turns.count }

  /// The one that waits longest of each key.
  package var firsts: some Sequence<Element> { turns.lazy.compactMap { elements[$0]?.first } }

  package mutating func append(_ element: Element, for key: Key) {
    if elements[key] == nil { turns.append(key) }
    elements[key, default: []].append(element)
  }

  /// Takes the first element of the next key in turn that may have one, which is the last in turn then.
  package mutating func popFirst(where isAdmitted: (Key) -> Bool) -> Element? {
    guard let turn = turns.firstIndex(where: isAdmitted) else { return nil }
    let key = turns.remove(at: turn)
    let element = elements[key]?.removeFirst()
    if elements[key]?.isEmpty ?? true { elements[key] = nil } else { turns.append(key) }
    return element
  }

  /// Takes all that fulfil the condition.
  package mutating func removeAll(where isRemoved: (Element) -> Bool) -> [Element] {
    var removed: [Element] = []
    for key in turns {
      guard let waiting = elements[key], waiting.contains(where: isRemoved) else { continue }
      removed += waiting.filter(isRemoved)
      let left = waiting.filter { !isRemoved($0) }
      elements[key] = left.isEmpty ? nil : left
    }
    turns = turns.filter { elements[$0] != nil }
    return removed
  }
}
