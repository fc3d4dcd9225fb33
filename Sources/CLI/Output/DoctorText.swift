/// What `hearth doctor` found, as people read it: a line a check, and below what is to be done the remedy.
enum DoctorText {
  static func lines(_ checks: [Check]) -> [String] {
    let width = checks.map(\.check.count).max() ?? 0
    return checks.flatMap { check in
      let name = check.check + String(repeating: " ", count: width - check.check.count)
      let line = "\(mark(check.result)) \(name)  \(Printable.clean(check.message))"
      let indent = String(repeating: " ", count: width + 4)
      return [line] + (check.remedy.map { ["\(indent)→ \(Printable.clean($0))"] } ?? [])
    }
  }

  private static func mark(_ result: Check.Result) -> String {
    switch result {
    case .ok: "✔"
    case .failed: "✘"
    case .unknown: "–"
    }
  }
}
