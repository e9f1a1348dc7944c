"""endemic_epidemic"""
