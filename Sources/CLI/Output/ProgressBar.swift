import Codecs

/// One line that says how far a download is; drawn by whoever owns the terminal.
struct ProgressBar {
  /// In bytes, where the length is known.
  let total: Int?
  let start: ContinuousClock.Instant
  private var drawn: ContinuousClock.Instant?
  private var last = ""

  init(total: Int?, start: ContinuousClock.Instant) {
    self.total = total
    self.start = start
  }

  /// What to write now to show the new state: nothing while the last drawing is fresh.
  mutating func update(_ done: Int, now: ContinuousClock.Instant) -> String? {
    guard now - start >= CLILimits.progressDelay else { return nil }
    if let drawn, now - drawn < CLILimits.progressInterval { return nil }
    drawn = now
    return draw(done, now: now)
  }

  /// What to write at the end: the last state and a line feed, or nothing where nothing was drawn.
  mutating func finish(_ done: Int, now: ContinuousClock.Instant) -> String? {
    drawn == nil ? nil : draw(done, now: now) + "\n"
  }

  private mutating func draw(_ done: Int, now: ContinuousClock.Instant) -> String {
    let line = line(done, elapsed: now - start)
    let padding = String(repeating: " ", count: max(0, last.count - line.count))
    last = line
    return "\r\(line)\(padding)"
  }

  /// `[#########           ]  45 %  29.0 MiB of 64.0 MiB  12.1 MiB/s  0:03 left`.
  func line(_ done: Int, elapsed: Duration) -> String {
    let seconds = max(elapsed / .seconds(1), 0.001)
    let rate = Double(done) / seconds
    let speed = "\(ByteCount.text(Int(rate)))/s"
    guard let total, total > 0 else { return "\(ByteCount.text(done))  \(speed)" }
    let part = min(1, Double(done) / Double(total))
    let filled = Int(part * 20)
    let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: 20 - filled)
    let percent = "\(Int(part * 100))"
    let amount = "\(ByteCount.text(done)) of \(ByteCount.text(total))"
    let left = rate > 0 ? "  \(Self.clock(Double(total - done) / rate)) left" : ""
    return "[\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  \(amount)  \(speed)\(left)"
  }

  /// Minutes and seconds, `1:05`.
  private static func clock(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 359_999))
    return "\(whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
  }
}
