package import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Times as people read them: in the zone of this machine (tzset(3)), where those who read them are.
package enum LocalTime {
  /// `2026-11-22`
  package static func day(_ date: Date) -> String { text(date, "%Y-%m-%d") }

  /// `2026-11-22 21:38 CET`
  package static func minute(_ date: Date) -> String { text(date, "%Y-%m-%d %H:%M %Z") }

  /// `21:38:05`
  package static func clock(_ date: Date) -> String { text(date, "%H:%M:%S") }

  private static func text(_ date: Date, _ format: String) -> String {
    var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
    var parts = tm()
    guard localtime_r(&seconds, &parts) != nil else { return "\(seconds)" }
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// How long something took, for people: `35 ms`, and `12 s` from ten seconds on.
package enum ElapsedTime {
  package static func text(seconds: Double) -> String {
    seconds < 10 ? "\(Int((seconds * 1000).rounded())) ms" : "\(Int(seconds.rounded())) s"
  }
}
