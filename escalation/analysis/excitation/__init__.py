"""excitation"""
