/// What a stream answers at the moment: the tasks of the peer's requests, for as long as they run.
struct AnswersUnderWay {
  /// nil for one that began, and has not been kept yet.
  private var tasks: [Int: Task<Void, Never>?] = [:]
  private var lastNumber = 0
  /// Whether a person who wrote has been told that nobody reads it.
  var hasRepliedToChat = false

  var isEmpty: Bool { tasks.isEmpty }

  mutating func begin() -> Int {
    lastNumber += 1
    tasks[lastNumber] = .some(nil)
    return lastNumber
  }

  /// A task that has ended by now is not kept.
  mutating func keep(_ task: Task<Void, Never>, _ number: Int) {
    if tasks[number] != nil { tasks[number] = task }
  }

  mutating func end(_ number: Int) { tasks[number] = nil }

  func cancelAll() {
    for task in tasks.values { task?.cancel() }
  }
}
