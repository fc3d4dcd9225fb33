/// `hearth help exit-statuses`: what the process answers to its shell, on one page.
enum ExitStatusHelp {
  static let topic = "exit-statuses"

  static var text: String {
    let lines = CommandStatus.allCases.map { status in
      let number = "\(status.rawValue)"
      return "  \(String(repeating: " ", count: 2 - number.count))\(number)  \(status.meaning)"
    }
    return """
      Exit statuses, the same for every command: those of curl for what happens to a request, those of sysexits.h for the rest.

      \(lines.joined(separator: "\n"))
      """
  }
}
