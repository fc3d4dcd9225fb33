/// Dates in fields, seconds since 1970 in UTC (RFC 9110 §5.6.7).
package enum HTTPDate {
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  private static let secondsPerDay = 86400

  /// `Sun, 06 Nov 1994 08:49:37 GMT`.
  package static func text(_ seconds: Int) -> String {
    let day = Int((Double(seconds) / Double(secondsPerDay)).rounded(.down))
    let second = seconds - day * secondsPerDay
    let (year, month, dayOfMonth) = civil(day)
    let weekday = days[((day % 7) + 7) % 7]
    let time = [second / 3600, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
    return "\(weekday), \(twoDigits(dayOfMonth)) \(months[month - 1]) \(year) \(time) GMT"
  }

  /// Of the three forms that recipients must accept: IMF-fixdate, RFC 850's and asctime's; nil for anything else.
  package static func seconds(_ text: String) -> Int? {
    var words = text.split(whereSeparator: { " ,-:".contains($0) })
    guard words.count >= 7 else { return nil }
    if Int(words[1]) == nil {  // asctime: weekday, month, day, time, year
      words = [words[0], words[2], words[1], words[6], words[3], words[4], words[5]]
    }
    guard let day = Int(words[1]), let month = months.firstIndex(where: { $0 == words[2] }), let year = year(words[3]),
      let hour = Int(words[4]), let minute = Int(words[5]), let second = Int(words[6]),
      (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    return ((dayNumber(year, month + 1, day) * 24 + hour) * 60 + minute) * 60 + second
  }

  private static func year(_ word: Substring) -> Int? {
    guard let year = Int(word), (0...9999).contains(year) else { return nil }
    if word.count > 2 { return year }
    return year < 70 ? 2000 + year : 1900 + year
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// Days since 1970 of a date in the Gregorian calendar; years are counted from March, so that leap days come last.
  private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month > 2 ? year : year - 1
    let era = year / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The inverse of `dayNumber`, for days from the year 0 on.
  private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
    let day = max(day + 719_468, 0)
    let era = day / 146_097
    let dayOfEra = day - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}
