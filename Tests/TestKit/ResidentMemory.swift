import Foundation

/// Of this process, from `/proc/self/statm`: the second field, in pages of 4 KiB.
package func residentBytes() throws -> Int {
  let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .ascii).split(separator: " ")
  return (Int(fields[1]) ?? 0) << 12
}
