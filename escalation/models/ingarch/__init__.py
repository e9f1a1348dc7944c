"""ingarch"""
