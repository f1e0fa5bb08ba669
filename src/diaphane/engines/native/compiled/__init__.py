"""What kernels call: functions that numba compiles into them.

Only generated sources import these, and only where a kernel is not in the cache yet: a run whose kernels are there
never loads the compiler.
"""
